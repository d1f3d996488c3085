"""Products and prices, units, dashboards."""

GOODS = "What the operator sells, the same for all customers."
DASHBOARD = "Layout and formulas of a dashboard; the figures are read when it is opened."

MODULES = {
    "product": {
        "product.supplierinfo": {
            "subject": "partner_id",
            "defaults": {"category": "account", "purpose": "books", "retention": "tax_doc"},
            "fields": {"partner_id": {"erasure": "keep", "reason": "What a supplier charges."}},
            "free": {GOODS: "product_name product_code"},
        },
        "product.attribute.custom.value": {
            "subject": None,
            "defaults": {"category": "free_text", "purpose": "service", "retention": "account"},
            "fields": {"custom_value": {"erasure": "null"}},
        },
        **{
            name: {"free": GOODS}
            for name in (
                *("product.attribute", "product.attribute.value"),
                *("product.category", "product.combo", "product.pricelist", "product.product"),
                *("product.tag", "product.template", "product.uom"),
            )
        },
    },
    "uom": {"uom.uom": {"free": "Units of measure."}},
    "spreadsheet_dashboard": {
        "spreadsheet.dashboard": {
            "free": {
                DASHBOARD: "name sample_dashboard_file_path spreadsheet_binary_data thumbnail",
                "Whose dashboards of the staff it is among.": "favorite_user_ids",
            },
        },
        "spreadsheet.dashboard.group": {"free": DASHBOARD},
        "spreadsheet.dashboard.share": {
            "subject": None,
            "defaults": {
                "category": "document",
                "purpose": "analytics",
                "retention": "transient",
                "erasure": "delete",
            },
            "fields": {
                "spreadsheet_binary_data excel_export": {"export": False},
                "access_token": "secret",
            },
            "free": {"Small picture of a dashboard.": "thumbnail"},
        },
    },
}
