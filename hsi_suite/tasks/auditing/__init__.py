"""What anybody's split gives away, and what anybody's map is worth on it."""
