"""Runs files of billing cases, inputs and what another system made of them, against the engine."""
