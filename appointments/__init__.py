"""Doctors' time and the visits in it: hours, slots, holds, bookings, the queue."""
