"""The sandbox: the invoice systems emulated over HTTP, for the demo, for development and for tests."""
