import {ProgressBarField, progressBarField} from "@web/views/fields/progress_bar/progress_bar_field";
import {onMounted, onWillUnmount} from "@odoo/owl";
import {registry} from "@web/core/registry";

const RELOAD_MS = 2000;

/**
 * A progress bar that follows work in the background: while the record is running, it is read again
 * every two seconds, unless somebody is editing it.
 */
export class LiveProgressField extends ProgressBarField {
    setup() {
        super.setup();
        onMounted(() => {
            this.timer = setInterval(() => this.reload(), RELOAD_MS);
        });
        onWillUnmount(() => clearInterval(this.timer));
    }

    async reload() {
        const {record} = this.props;
        const isRunning = [record.data.state, record.data.preview_state].includes("running");
        if (isRunning && !(await record.isDirty())) {
            await record.load();
        }
    }
}

registry.category("fields").add("isp_live_progress", {
    ...progressBarField,
    component: LiveProgressField,
});
