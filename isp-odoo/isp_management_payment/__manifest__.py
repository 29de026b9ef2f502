{
    "name": "ISP Management: gateways",
    "summary": "Midtrans, Tripay and Duitku on Odoo's payment page, verified by the engine; what is paid reopens the line",
    "version": "17.0.1.0.0",
    "category": "Services/ISP",
    "license": "LGPL-3",
    "author": "The isp project",
    "depends": ["isp_management", "account_payment"],
    "external_dependencies": {"python": ["isp_engine"]},
    "data": [
        "views/payment_templates.xml",
        "views/payment_provider_views.xml",
        "views/customer_page.xml",
        "data/payment_provider.xml",
        "data/ir_cron.xml",
    ],
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
}
