{
    "name": "ISP messaging with privacy",
    "summary": "Advertising only to those who agreed; gateways only under contract",
    "version": "19.0.1.0.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_messaging", "isp_privacy"],
    "auto_install": True,
}
