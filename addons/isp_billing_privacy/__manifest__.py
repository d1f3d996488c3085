{
    "name": "ISP billing with privacy",
    "summary": "Identity before a service, a person who looks at a suspension, analyses one may refuse",
    "version": "19.0.1.0.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_billing", "isp_privacy"],
    "data": [
        "data/privacy_purpose_data.xml",
        "views/isp_plan_views.xml",
        "views/isp_subscription_views.xml",
        "views/privacy_profile_views.xml",
        "views/portal_templates.xml",
    ],
    "auto_install": True,
}
