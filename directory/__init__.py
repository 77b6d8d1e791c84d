"""What is known across hospitals: what the portal shows and searches. Each hospital pushes its part in its own transaction."""
