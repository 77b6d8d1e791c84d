"""A Razorpay for development and tests: it speaks the gateway's protocol over HTTP, and its money is none.

It shares no code with the platform, and the platform none with it: they meet only on the wire.
"""
