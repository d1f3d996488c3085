{
    "name": "Test: a field the set-based path cannot know",
    "summary": "Throw-away addon of the tests: stores the customer's city on the invoice",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tests",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_billing"],
}
