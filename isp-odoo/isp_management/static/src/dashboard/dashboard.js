/** @odoo-module **/

import { Component, onWillStart, useState } from "@odoo/owl";
import { formatMonetary } from "@web/views/fields/formatters";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

/** The first screen: counters that open the lists behind them, and six months of money. */
export class IspDashboard extends Component {
    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ data: null });
        onWillStart(() => this.load());
    }

    async load() {
        this.state.data = await this.orm.call("isp.dashboard", "data", []);
    }

    money(amount) {
        return formatMonetary(amount, { currencyId: this.state.data.currency_id, digits: [16, 0] });
    }

    open(card) {
        return this.action.doAction(card.action);
    }
}
IspDashboard.template = "isp_management.Dashboard";
IspDashboard.props = ["*"];

registry.category("actions").add("isp_management.dashboard", IspDashboard);
