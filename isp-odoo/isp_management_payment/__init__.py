from odoo.addons.payment import reset_payment_provider, setup_provider

from . import controllers, models
from .const import KINDS, OWN


def post_init_hook(env):
    for code in (*KINDS, OWN):
        setup_provider(env, code)


def uninstall_hook(env):
    for code in (*KINDS, OWN):
        reset_payment_provider(env, code)
