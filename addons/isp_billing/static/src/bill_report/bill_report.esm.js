import {download} from "@web/core/network/download";
import {getReportUrl} from "@web/webclient/actions/reports/utils";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";

/**
 * Bills set by a template need no wkhtmltopdf, so they are downloaded without asking for its state.
 */
async function downloadBill(action, _options, env) {
    if (!action.isp_document || action.report_type !== "qweb-pdf") {
        return false;
    }
    const data = JSON.stringify([getReportUrl(action, "pdf"), action.report_type]);
    env.services.ui.block();
    try {
        await download({
            url: "/report/download",
            data: {data, context: JSON.stringify({...user.context, ...action.context})},
        });
    } finally {
        env.services.ui.unblock();
    }
    return true;
}

registry.category("ir.actions.report handlers").add("isp_bill_report", downloadBill);
