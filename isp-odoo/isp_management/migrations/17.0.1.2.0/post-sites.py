"""What was typed as a router's location becomes a site. Its zone is that of the lines there, where they have one, else the company's."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    cr.execute("""
        INSERT INTO isp_site (name, company_id, zone, active, create_uid, write_uid, create_date, write_date)
        SELECT trim(r.location), r.company_id,
               CASE WHEN count(DISTINCT s.zone) = 1 THEN min(s.zone) ELSE min(c.isp_zone) END,
               true, 1, 1, now() at time zone 'UTC', now() at time zone 'UTC'
        FROM isp_router r
        JOIN res_company c ON c.id = r.company_id
        LEFT JOIN isp_subscription s ON s.router_id = r.id
        WHERE trim(coalesce(r.location, '')) <> ''
        GROUP BY trim(r.location), r.company_id
    """)
    cr.execute("""
        UPDATE isp_router r SET site_id = s.id FROM isp_site s
        WHERE r.site_id IS NULL AND s.company_id = r.company_id AND s.name = trim(r.location)
    """)
    api.Environment(cr, SUPERUSER_ID, {}).invalidate_all()
