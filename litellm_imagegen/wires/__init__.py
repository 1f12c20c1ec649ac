"""Codecs that several providers speak. One file a wire; none imports another."""
