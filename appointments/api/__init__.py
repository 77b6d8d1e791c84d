"""/api/ of hospitals and the portal, about doctors’ time and visits."""
