{
    "name": "A stand-in of sale_subscription, for tests only",
    "summary": "The fields of Odoo Enterprise's module that public code shows, and nothing else of it",
    "version": "17.0.1.0.0",
    "category": "Hidden",
    "license": "LGPL-3",
    "author": "The isp project",
    "depends": ["sale"],
    "data": ["security/ir.model.access.csv"],
}
