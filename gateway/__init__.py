"""One GraphQL graph over REST invoice systems."""
