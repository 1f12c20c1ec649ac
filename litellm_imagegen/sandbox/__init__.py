"""A simulated provider: real wires, real pictures, no key and no network.

The sandbox reads nothing but the wire request and imports nothing from the rest of the package, so that
it is able to disagree with the codecs it is used to test. `app` composes the wires, `server` runs them.
"""
