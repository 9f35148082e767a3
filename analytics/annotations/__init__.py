"""Annotations: what happened when. Reading what was sent, keeping it, finding it again for who may see it."""
