"""What a user types: parse, call, show."""
