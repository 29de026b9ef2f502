"""What the addon decides or computes without Odoo: nothing in here imports odoo."""
