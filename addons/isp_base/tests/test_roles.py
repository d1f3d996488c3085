from odoo.tests import TransactionCase, new_test_user, tagged

ROLES = {
    "first_line": {"first_line"},
    "support": {"first_line", "support"},
    "clerk": {"first_line", "support", "clerk"},
    "accountant": {"first_line", "support", "clerk", "accountant"},
    "network": {"first_line", "network"},
    "manager": {"first_line", "support", "clerk", "accountant", "network", "manager"},
}


@tagged("post_install", "-at_install")
class TestRoles(TransactionCase):
    def test_each_role_implies_what_it_needs_and_no_more(self):
        for role, expected in ROLES.items():
            with self.subTest(role=role):
                user = new_test_user(
                    self.env, login=f"isp_{role}", groups=f"isp_base.group_isp_{role}"
                )
                held = {r for r in ROLES if user.has_group(f"isp_base.group_isp_{r}")}
                self.assertEqual(held, expected)
                self.assertTrue(user.has_group("base.group_user"))
                self.assertFalse(user.has_group("base.group_system"))

    def test_all_roles_are_under_one_privilege(self):
        privilege = self.env.ref("isp_base.privilege_isp")
        roles = self.env["res.groups"].union(
            *(self.env.ref(f"isp_base.group_isp_{role}") for role in ROLES)
        )
        self.assertEqual(roles.privilege_id, privilege)

    def test_administrators_are_managers(self):
        self.assertTrue(self.env.ref("base.user_admin").has_group("isp_base.group_isp_manager"))
