"""An invented launch to try the engine on."""
