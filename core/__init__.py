"""Plain helpers without models: errors, pages, the queue, pictures, rate limits, middleware, template tags."""
