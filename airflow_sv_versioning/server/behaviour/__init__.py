"""What the platform does, without HTTP: functions on one transaction."""
