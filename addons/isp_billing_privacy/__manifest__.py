{
    "name": "ISP billing with privacy",
    "summary": "A plan or the policy can ask for a checked identity before a service begins",
    "version": "19.0.1.0.0",
    "category": "Services/ISP",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_billing", "isp_privacy"],
    "data": [
        "views/isp_plan_views.xml",
        "views/isp_subscription_views.xml",
        "views/privacy_profile_views.xml",
    ],
    "auto_install": True,
}
