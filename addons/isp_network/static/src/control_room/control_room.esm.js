import {Component, onMounted, onWillStart, onWillUnmount, useRef, useState} from "@odoo/owl";
import {deserializeDateTime, formatDateTime} from "@web/core/l10n/dates";
import {Layout} from "@web/search/layout";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {useDebounced} from "@web/core/utils/timing";
import {useService} from "@web/core/utils/hooks";

const MODEL = "isp.control.room";
const TYPING_MS = 300;
const REFRESH_MS = 5000;

/**
 * One search box for whoever has a customer on the telephone, and who is online at the routers now.
 */
export class ControlRoom extends Component {
    static template = "isp_network.ControlRoom";
    static components = {Layout};
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.input = useRef("input");
        this.state = useState({
            tab: "search",
            query: "",
            answer: null,
            busy: false,
            live: null,
            routerId: false,
        });
        // Answers may overtake each other; only the one to the newest question counts.
        this.asked = 0;
        this.searchSoon = useDebounced(() => this.search(), TYPING_MS);
        onWillStart(() => this.refresh());
        onMounted(() => {
            this.input.el?.focus();
            this.timer = setInterval(() => this.refresh(), REFRESH_MS);
        });
        onWillUnmount(() => clearInterval(this.timer));
    }

    get display() {
        return {controlPanel: {}};
    }

    // === SEARCH === //

    onInput(ev) {
        this.state.query = ev.target.value;
        this.searchSoon();
    }

    onKeydown(ev) {
        if (ev.key === "Enter") {
            this.search();
        }
    }

    async search() {
        const number = ++this.asked;
        this.state.busy = true;
        try {
            const answer = await this.orm.silent.call(MODEL, "find", [this.state.query]);
            if (number === this.asked) {
                this.state.answer = answer;
            }
        } finally {
            if (number === this.asked) {
                this.state.busy = false;
            }
        }
    }

    get hint() {
        const {answer} = this.state;
        if (!answer || answer.kind === "short") {
            return _t(
                "Type a name, phone number, username, IP address, MAC address or invoice number."
            );
        }
        if (!answer.hits.length) {
            return answer.kind === "ip"
                ? _t("Nobody has this address now. Who had it earlier is a lawful request.")
                : _t("Nobody was found. Try fewer letters, or the phone number.");
        }
        return answer.more ? _t("There are more. Type a little more to narrow it down.") : "";
    }

    // === LIVE === //

    async refresh() {
        // A hidden tab need not ask.
        if (document.hidden && this.state.live) {
            return;
        }
        this.state.live = await this.orm.silent.call(MODEL, "online", [this.state.routerId]);
    }

    show(tab) {
        this.state.tab = tab;
    }

    async chooseRouter(routerId) {
        this.state.routerId = routerId;
        this.state.tab = "online";
        await this.refresh();
    }

    optional(name) {
        return this.state.live.routers.some((router) => name in router);
    }

    // === BUTTONS === //

    open(subscriptionId) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "isp.subscription",
            res_id: subscriptionId,
            views: [[false, "form"]],
        });
    }

    openRouter(routerId) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "isp.nas",
            res_id: routerId,
            views: [[false, "form"]],
        });
    }

    async run(subscriptionId, method) {
        const action = await this.orm.call("isp.subscription", method, [[subscriptionId]]);
        await this.action.doAction(action);
    }

    async testLogin(subscriptionId) {
        await this.action.doAction(
            await this.orm.call(MODEL, "test_login", [subscriptionId]),
            {onClose: () => this.search()}
        );
    }

    async disconnect(hit) {
        await this.orm.call(MODEL, "disconnect", [hit.id]);
        this.notification.add(_t("%s is being disconnected.", hit.customer), {type: "info"});
        await this.search();
    }

    // === WORDS === //

    time(text) {
        return text ? formatDateTime(deserializeDateTime(text)) : "";
    }

    ago(text) {
        return text ? deserializeDateTime(text).toRelative() : "";
    }
}

registry.category("actions").add("isp_control_room", ControlRoom);
