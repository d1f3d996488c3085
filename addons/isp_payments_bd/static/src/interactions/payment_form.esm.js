import {PaymentForm} from "@payment/interactions/payment_form";
import {patch} from "@web/core/utils/patch";

patch(PaymentForm.prototype, {
    /**
     * bKash asks for the PIN also when the customer pays from a saved wallet: go there.
     *
     * @override
     */
    _processTokenFlow(providerCode, paymentOptionId, paymentMethodCode, processingValues) {
        if (providerCode === "bkash" && processingValues.redirect_form_html) {
            this._processRedirectFlow(...arguments);
        } else {
            super._processTokenFlow(...arguments);
        }
    },
});
