"""What the API takes and gives about doctors’ time and visits. Serializers never save; services do."""
