{
    "name": "ISP privacy with helpdesk",
    "summary": "Tickets are exported, erased and kept as the privacy policy says",
    "version": "19.0.1.0.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_privacy", "helpdesk_mgmt"],
    "data": [
        "security/helpdesk_security.xml",
    ],
    "auto_install": True,
    "post_init_hook": "post_init_hook",
}
