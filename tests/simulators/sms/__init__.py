"""Simulators of SMS gateways: strict where the real ones are, and wrong on command.

The server, its faults and its control surface are those of the payment gateways, see
:mod:`simulators.gateways.base`.
"""
