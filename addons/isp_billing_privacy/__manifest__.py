{
    "name": "ISP billing with privacy",
    "summary": "Whose service was suspended by a machine can have it looked at by a person",
    "version": "19.0.1.0.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_billing", "isp_privacy"],
    "data": [
        "views/portal_templates.xml",
    ],
    "auto_install": True,
}
