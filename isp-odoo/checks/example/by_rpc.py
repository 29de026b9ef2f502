"""A line's life by XML-RPC: it begins, is billed, isolated by hand, explained and paid.

usage: by_rpc.py URL DATABASE USER PASSWORD
"""

import sys
import xmlrpc.client


def live(url, database, user, password):
    user_id = xmlrpc.client.ServerProxy(url + "/xmlrpc/2/common").authenticate(database, user, password, {})
    server = xmlrpc.client.ServerProxy(url + "/xmlrpc/2/object")

    def call(model, method, *arguments, **options):
        return server.execute_kw(database, user_id, password, model, method, arguments, options)

    package = call("isp.package", "search", [("active", "=", True)], limit=1)[0]
    customer = call("isp.customer", "create", {"name": "Budi Santoso", "mobile": "081298765432"})
    line = call("isp.subscription", "create", {"customer_id": customer, "package_id": package})
    call("isp.subscription", "action_activate", [line])
    call("isp.billing_run", "action_bill_now", [])
    isolate = call("isp.isolation.wizard", "create", {"subscription_ids": [(6, 0, [line])], "action": "isolate", "reason": "Pindah"})
    call("isp.isolation.wizard", "action_confirm", [isolate])
    why = call("isp.subscription", "action_isp_explain", [line])
    told = call(why["res_model"], "read", [why["res_id"]], ["sentence"])[0]["sentence"]
    pay = call("isp.subscription", "action_isp_pay", [line])
    payment = call(pay["res_model"], "create", {}, context=pay["context"])
    call(pay["res_model"], "action_create_payments", [payment], context=pay["context"])
    try:
        call("isp.subscription", "action_isp_pay", [line])
    except xmlrpc.client.Fault as refused:
        return line, told, refused.faultString
    return line, told, None


if __name__ == "__main__":
    print(live(*sys.argv[1:5]))
