"""What belongs to an import of spreadsheets: its files, what was found in them, and what a person answered. All of it is that person's."""

import base64

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

KINDS = [
    ("sites", "Sites"), ("routers", "Routers"), ("packages", "Packages"), ("customers", "Customers"), ("subscriptions", "Subscriptions"),
    ("cpes", "Devices (CPE)"), ("installations", "Installation fees (PSB)"), ("expenses", "Expenses"),
    ("everything", "Customer, package and line in each row"),
]
# A spreadsheet of 50,000 rows has less.
LARGEST = 20 * 1024 * 1024


class IspSpreadsheetPart(models.AbstractModel):
    _name = "isp.spreadsheet.part"
    _description = "A part of an import of spreadsheets"

    wizard_id = fields.Many2one("isp.spreadsheet.wizard", required=True, ondelete="cascade", index=True)

    @api.constrains("wizard_id")
    def _check_own_wizard(self):
        """Nobody puts a file or an answer into what another is about to write."""
        if any(part.wizard_id.create_uid != part.create_uid for part in self.sudo()):
            raise AccessError(_("This import of spreadsheets is somebody else's."))


class IspSpreadsheetContent(models.AbstractModel):
    _name = "isp.spreadsheet.content"
    _description = "A file of an import, sealed"
    _inherit = ["isp.spreadsheet.part"]

    content = fields.Binary(compute="_compute_content", inverse="_inverse_content", attachment=False)
    content_sealed = fields.Text(groups="base.group_system")

    def _isp_place(self):
        return (self._name, "content", self.id)

    @api.depends("content_sealed")
    def _compute_content(self):
        for file in self:
            file.content = base64.b64encode(file._isp_content()) if file.id and file._isp_shows() else False

    def _isp_shows(self):
        """Whether who owns the file gets it back."""
        return False

    def _inverse_content(self):
        vault = self.env["isp.router"]._isp_vault()
        for file in self.filtered("content"):
            text = file.content.decode() if isinstance(file.content, bytes) else file.content
            if len(text) > LARGEST * 4 // 3 + 4:
                raise UserError(_("%s is larger than 20 MB.", file.name))
            file.sudo().content_sealed = vault.seal(text, file._isp_place())
            # Another file asks anew.
            file.wizard_id.problem_ids.filtered(lambda one, file=file: file._isp_is(one.file)).accepted = False

    def _isp_is(self, name):
        """Whether the engine means this file; of a workbook with several sheets it names the sheet behind the file."""
        return name == self.name or (name or "").startswith("%s[" % self.name)

    def _isp_content(self):
        self.ensure_one()
        sealed = self.sudo().content_sealed
        return base64.b64decode(self.env["isp.router"]._isp_vault().open(sealed, self._isp_place())) if sealed else b""


class IspSpreadsheetFile(models.TransientModel):
    _name = "isp.spreadsheet.file"
    _description = "A spreadsheet to import"
    _inherit = ["isp.spreadsheet.content"]

    name = fields.Char(required=True)
    kind = fields.Selection(KINDS, "What its rows are", help="Empty: as its name or its columns say.")


class IspSpreadsheetCopy(models.TransientModel):
    _name = "isp.spreadsheet.copy"
    _description = "A copy of a spreadsheet that says what is wrong"
    _inherit = ["isp.spreadsheet.content"]

    name = fields.Char(required=True)

    def _isp_shows(self):
        return True


class IspSpreadsheetMap(models.TransientModel):
    _name = "isp.spreadsheet.map"
    _description = "What a column of a spreadsheet is"
    _inherit = ["isp.spreadsheet.part"]

    heading = fields.Char("Column of the file", required=True)
    meaning = fields.Char("Is the column", required=True, help="Such as name, address, phone; - leaves it out.")


class IspSpreadsheetCount(models.TransientModel):
    _name = "isp.spreadsheet.count"
    _description = "Rows of a spreadsheet"
    _inherit = ["isp.spreadsheet.part"]

    kind = fields.Selection(KINDS, readonly=True)
    new = fields.Integer(readonly=True)
    changed = fields.Integer(readonly=True)
    kept = fields.Integer("Differ, not changed", readonly=True)
    same = fields.Integer(readonly=True)
    left_out = fields.Integer("Over, or billed elsewhere", readonly=True)
    refused = fields.Integer("Held back", readonly=True)


class IspSpreadsheetProblem(models.TransientModel):
    _name = "isp.spreadsheet.problem"
    _description = "What is wrong with a row of a spreadsheet"
    _inherit = ["isp.spreadsheet.part"]

    file = fields.Char(readonly=True)
    line = fields.Integer("Row", readonly=True)
    lines = fields.Char("Rows", readonly=True)
    column = fields.Char(readonly=True)
    code = fields.Char(readonly=True)
    message = fields.Text("Reason", readonly=True)
    is_question = fields.Boolean("Is a question", readonly=True)
    accepted = fields.Boolean("It is right as it is")

    def _isp_question(self):
        """What is asked: an answer is one to this and to nothing else."""
        self.ensure_one()
        return self.file, self.line, self.column or "", self.code, self.message


class IspSpreadsheetNotice(models.TransientModel):
    _name = "isp.spreadsheet.notice"
    _description = "What to know of a spreadsheet"
    _inherit = ["isp.spreadsheet.part"]

    file = fields.Char(readonly=True)
    lines = fields.Char("Rows", readonly=True)
    column = fields.Char(readonly=True)
    message = fields.Text(readonly=True)
