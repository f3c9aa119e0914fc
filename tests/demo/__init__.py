"""The demo: two real clouds behind the gateway, and the main job done with the real client."""
