/** @odoo-module **/

import { Component, onWillStart, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

const WIDTH = 1000;
const HEIGHT = 620;
const EDGE = 30;

/** Customers as dots, without anybody's tiles: red is isolated, yellow overdue, green well. */
export class IspMap extends Component {
    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ data: null, site: "" });
        this.width = WIDTH;
        this.height = HEIGHT;
        onWillStart(async () => {
            this.state.data = await this.orm.call("isp.dashboard", "map_data", []);
        });
    }

    get dots() {
        const every = this.state.data.dots.filter((dot) => !this.state.site || dot.site === this.state.site);
        if (!every.length) {
            return [];
        }
        const xs = every.map((dot) => dot.x);
        const ys = every.map((dot) => dot.y);
        const [left, right] = [Math.min(...xs), Math.max(...xs)];
        const [low, high] = [Math.min(...ys), Math.max(...ys)];
        // One scale for both directions: near the equator a degree is as wide as it is high.
        const scale = Math.min(
            (WIDTH - 2 * EDGE) / Math.max(right - left, 0.0001), (HEIGHT - 2 * EDGE) / Math.max(high - low, 0.0001)
        );
        const [middleX, middleY] = [(left + right) / 2, (low + high) / 2];
        return every.map((dot) => ({
            ...dot, cx: WIDTH / 2 + (dot.x - middleX) * scale, cy: HEIGHT / 2 - (dot.y - middleY) * scale,
        }));
    }

    choose(ev) {
        this.state.site = ev.target.value;
    }

    open(dot) {
        return this.action.doAction({
            type: "ir.actions.act_window", res_model: "isp.customer", res_id: dot.id, views: [[false, "form"]], name: dot.name,
        });
    }
}
IspMap.template = "isp_management.Map";
IspMap.props = ["*"];

registry.category("actions").add("isp_management.map", IspMap);
