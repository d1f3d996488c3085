{
    "name": "ISP privacy with payment providers",
    "summary": "No payment provider takes money without a valid contract on personal data",
    "version": "19.0.1.0.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_privacy", "payment"],
    "data": [
        "views/privacy_processor_views.xml",
    ],
    "auto_install": True,
}
