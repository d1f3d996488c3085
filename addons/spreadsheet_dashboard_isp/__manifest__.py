{
    "name": "ISP dashboard",
    "summary": "Recurring revenue, subscribers, debts and payments on one page",
    "version": "19.0.1.0.0",
    "category": "ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_billing", "spreadsheet_dashboard"],
    "data": ["data/spreadsheet_dashboard_data.xml"],
    "auto_install": True,
}
