{
    "name": "ISP base: tests",
    "summary": "Models that exist only to test encrypted fields, and what makes tests quick",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "ISP Suite contributors",
    "website": "https://github.com/isp-suite/isp-suite",
    "license": "AGPL-3",
    "depends": ["isp_base"],
    "data": ["security/ir.model.access.csv"],
}
