{
    "name": "ISP two-factor authentication",
    "summary": "The secrets of authenticator apps are stored encrypted",
    "version": "19.0.1.0.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_base", "auth_totp"],
    "auto_install": True,
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
}
