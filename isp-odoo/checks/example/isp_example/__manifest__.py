{
    "name": "Example of an addon beside ISP Management",
    "version": "17.0.1.0.0",
    "license": "LGPL-3",
    "author": "The isp project",
    "depends": ["isp_management"],
}
