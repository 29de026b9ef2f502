{
    "name": "ISP Management: OCA subscriptions",
    "summary": "A subscription of OCA's subscription_oca becomes an internet line",
    "version": "17.0.1.1.0",
    "category": "Services/ISP",
    "license": "AGPL-3",
    "author": "The isp project",
    "depends": ["isp_management", "subscription_oca"],
    "data": ["views/sale_subscription_views.xml"],
    "auto_install": True,
}
