"""The configured kinds of sources."""
