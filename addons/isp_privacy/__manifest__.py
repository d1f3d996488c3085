{
    "name": "ISP privacy",
    "summary": "Data map, rights requests and registers: the privacy policy, executed",
    "version": "19.0.1.0.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_base", "portal"],
    "data": [
        "security/privacy_security.xml",
        "security/ir.model.access.csv",
        "views/menus.xml",
    ],
}
