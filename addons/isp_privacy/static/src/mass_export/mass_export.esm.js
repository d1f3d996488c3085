import {Component, useState} from "@odoo/owl";
import {Dialog} from "@web/core/dialog/dialog";
import {download} from "@web/core/network/download";
import {registry} from "@web/core/registry";
import {useAutofocus} from "@web/core/utils/hooks";

// Names in isp_privacy/errors.py and isp_privacy/models/privacy_mass_export.py.
const REASON_NEEDED = "odoo.addons.isp_privacy.errors.ExportReasonNeeded";
const REASON_KEY = "privacy_export_reason";

export class ExportReasonDialog extends Component {
    static template = "isp_privacy.ExportReasonDialog";
    static components = {Dialog};
    static props = {close: Function, confirm: Function, message: String};

    setup() {
        this.state = useState({reason: ""});
        useAutofocus();
    }

    onConfirm() {
        this.props.confirm(this.state.reason);
        this.props.close();
    }
}

/**
 * Asks why many rows are exported, when the server wants to know it, and exports them then.
 */
export const exportReasonService = {
    dependencies: ["dialog"],

    start(_env, {dialog}) {
        const original = download._download;

        function ask(message) {
            return new Promise((resolve) => {
                dialog.add(
                    ExportReasonDialog,
                    {message, confirm: resolve},
                    {onClose: () => resolve(null)}
                );
            });
        }

        download._download = async (options) => {
            try {
                return await original(options);
            } catch (error) {
                if (error.exceptionName !== REASON_NEEDED) {
                    throw error;
                }
                const reason = await ask(error.data.message);
                if (reason === null) {
                    return;
                }
                const data = JSON.parse(options.data.data);
                data.context = {...data.context, [REASON_KEY]: reason};
                // Asks again where the reason was too short.
                return download._download({
                    ...options,
                    data: {...options.data, data: JSON.stringify(data)},
                });
            }
        };
    },
};

registry.category("services").add("isp_privacy.export_reason", exportReasonService);
