"""Where the store and the transport meet: publish decides, deliver performs."""
