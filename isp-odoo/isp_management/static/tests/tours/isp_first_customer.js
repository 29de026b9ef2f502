/** @odoo-module **/

import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_service/tour_utils";

registry.category("web_tour.tours").add("isp_first_customer", {
    test: true,
    url: "/web",
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "open the app",
            trigger: '.o_app[data-menu-xmlid="isp_management.isp_menu_root"]',
        },
        {
            content: "the dashboard counts",
            trigger: '.o_isp_card[data-card="active"]',
        },
        {
            content: "a counter opens its list",
            trigger: ".o_breadcrumb:contains('Active')",
            run: () => {},
        },
        {
            content: "open the menu of customers",
            trigger: '.o_menu_sections [data-menu-xmlid="isp_management.isp_menu_customers"]',
        },
        {
            trigger: '.dropdown-item[data-menu-xmlid="isp_management.isp_customer_menu"]',
        },
        {
            content: "a new customer",
            extra_trigger: ".o_breadcrumb:contains('Customers')",
            trigger: ".o_list_button_add",
        },
        {
            trigger: ".o_field_widget[name=name] input",
            run: "text Siti Rahayu",
        },
        {
            trigger: ".o_field_widget[name=mobile] input",
            run: "text 0812-3456-7890",
        },
        {
            trigger: ".o_form_button_save",
        },
        {
            content: "the number is given by the system",
            extra_trigger: ".o_field_widget[name=customer_code]:contains('PLG')",
            trigger: "button[name=action_activate]",
        },
        {
            content: "only an active customer can be terminated",
            trigger: "button[name=action_terminate]",
            run: () => {},
        },
    ],
});
