"""How a hospital joins the platform, and what is inside it: staff, departments, settings, brand, activity."""
