{
    "name": "ISP Management: Enterprise subscriptions",
    "summary": "A subscription of Odoo Enterprise's sale_subscription becomes an internet line",
    "version": "17.0.1.1.0",
    "category": "Services/ISP",
    "license": "LGPL-3",
    "author": "The isp project",
    "depends": ["isp_management", "sale_subscription"],
    "data": ["views/sale_order_views.xml"],
    "auto_install": True,
}
