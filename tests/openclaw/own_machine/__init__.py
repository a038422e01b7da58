"""A machine of its own for the generated units: systemd, accounts and packet rules.

Everything that it writes goes to a layer above the files of this machine, which is gone
with it; its processes, network, mounts and control groups are its own.
"""
