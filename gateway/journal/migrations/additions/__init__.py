"""Steps that a gateway of an earlier version does not miss, oldest first by their numbers."""
