"""The words of the mail itself, by language; the article's words are its author's.

Enters: a language tag (BCP 47). Leaves: the interface words and dates written out. Uses no locale
of the machine: the same tag gives the same words everywhere. An unknown language gets English.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


# Callouts that readers know from other tools: GitHub's five, python-markdown's, and their likes.
CALLOUTS = (
    *("note", "info", "tip", "hint", "important", "warning", "caution", "attention", "danger"),
    *("error", "example", "question", "success", "quote"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strings:
    """One language's words. Single braces are filled by whoever shows the sentence; `months` are
    twelve words from January on, `callouts` the names of CALLOUTS with bars between them."""

    previous_issue: str
    next_issue: str
    view_in_browser: str
    unsubscribe: str
    why: str
    issue_number: str
    notes: str
    links: str
    image: str
    read_online: str
    callouts: str
    months: str
    date: str
    colon: str = ": "
    first_of_month: str = "1"

    def write_date(self, day: datetime.date) -> str:
        """The day as people write it: `22 November 2026`, `1er mars 2026`."""
        number = self.first_of_month if day.day == 1 else str(day.day)
        return self.date.format(day=number, month=self.months.split()[day.month - 1], year=day.year)

    def name_callout(self, kind: str) -> str:
        """The label of a callout that has no title of its own; an unknown kind is its own name."""
        if kind in CALLOUTS:
            return self.callouts.split("|")[CALLOUTS.index(kind)]
        return kind.replace("-", " ").capitalize()


ENGLISH = Strings(
    previous_issue="Previous issue",
    next_issue="Next issue",
    view_in_browser="View in browser",
    unsubscribe="Unsubscribe",
    why="You receive this because {address} is subscribed to {letter}.",
    issue_number="Issue {number}",
    notes="Notes",
    links="Links",
    image="Image",
    read_online="Continue reading online",
    callouts="Note|Info|Tip|Hint|Important|Warning|Caution|Attention|Danger|Error|Example|Question|"
    "Success|Quote",
    months="January February March April May June July August September October November December",
    date="{day} {month} {year}",
)
GERMAN = Strings(
    previous_issue="Vorige Ausgabe",
    next_issue="Nächste Ausgabe",
    view_in_browser="Im Browser ansehen",
    unsubscribe="Abmelden",
    why="Sie erhalten diese E-Mail, weil {address} für {letter} angemeldet ist.",
    issue_number="Ausgabe {number}",
    notes="Anmerkungen",
    links="Links",
    image="Bild",
    read_online="Online weiterlesen",
    callouts="Hinweis|Info|Tipp|Hinweis|Wichtig|Warnung|Vorsicht|Achtung|Gefahr|Fehler|Beispiel|"
    "Frage|Erfolg|Zitat",
    months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    date="{day}. {month} {year}",
)
FRENCH = Strings(
    previous_issue="Numéro précédent",
    next_issue="Numéro suivant",
    view_in_browser="Voir dans le navigateur",
    unsubscribe="Se désabonner",
    why="Vous recevez ce message parce que l’adresse {address} est abonnée à {letter}.",
    issue_number="Numéro {number}",
    notes="Notes",
    links="Liens",
    image="Image",
    colon="\u00a0: ",
    read_online="Lire la suite en ligne",
    callouts="À noter|Info|Astuce|Conseil|Important|Avertissement|Prudence|Attention|Danger|Erreur|"
    "Exemple|Question|Succès|Citation",
    months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    date="{day} {month} {year}",
    first_of_month="1er",
)
SPANISH = Strings(
    previous_issue="Número anterior",
    next_issue="Número siguiente",
    view_in_browser="Ver en el navegador",
    unsubscribe="Darse de baja",
    why="Recibe este mensaje porque la dirección {address} está suscrita a {letter}.",
    issue_number="Número {number}",
    notes="Notas",
    links="Enlaces",
    image="Imagen",
    read_online="Seguir leyendo en línea",
    callouts="Nota|Información|Consejo|Pista|Importante|Advertencia|Precaución|Atención|Peligro|"
    "Error|Ejemplo|Pregunta|Éxito|Cita",
    months="enero febrero marzo abril mayo junio julio agosto septiembre "
    "octubre noviembre diciembre",
    date="{day} de {month} de {year}",
)
PORTUGUESE = Strings(
    previous_issue="Edição anterior",
    next_issue="Próxima edição",
    view_in_browser="Ver no navegador",
    unsubscribe="Cancelar a assinatura",
    why="Recebe este e-mail porque o endereço {address} está inscrito em {letter}.",
    issue_number="Edição {number}",
    notes="Notas",
    links="Ligações",
    image="Imagem",
    read_online="Continuar a ler online",
    callouts="Nota|Informação|Dica|Sugestão|Importante|Aviso|Cuidado|Atenção|Perigo|Erro|Exemplo|"
    "Pergunta|Sucesso|Citação",
    months="janeiro fevereiro março abril maio junho julho agosto setembro "
    "outubro novembro dezembro",
    date="{day} de {month} de {year}",
)
ITALIAN = Strings(
    previous_issue="Numero precedente",
    next_issue="Numero successivo",
    view_in_browser="Vedi nel browser",
    unsubscribe="Annulla l’iscrizione",
    why="Ricevi questo messaggio perché l’indirizzo {address} è iscritto a {letter}.",
    issue_number="Numero {number}",
    notes="Note",
    links="Link",
    image="Immagine",
    read_online="Continua a leggere online",
    callouts="Nota|Informazioni|Consiglio|Suggerimento|Importante|Avvertenza|Cautela|Attenzione|"
    "Pericolo|Errore|Esempio|Domanda|Successo|Citazione",
    months="gennaio febbraio marzo aprile maggio giugno luglio agosto settembre "
    "ottobre novembre dicembre",
    date="{day} {month} {year}",
    first_of_month="1º",
)
DUTCH = Strings(
    previous_issue="Vorige editie",
    next_issue="Volgende editie",
    view_in_browser="Bekijk in de browser",
    unsubscribe="Afmelden",
    why="U ontvangt dit bericht omdat {address} is aangemeld voor {letter}.",
    issue_number="Editie {number}",
    notes="Noten",
    links="Links",
    image="Afbeelding",
    read_online="Lees online verder",
    callouts="Opmerking|Info|Tip|Hint|Belangrijk|Waarschuwing|Voorzichtig|Let op|Gevaar|Fout|"
    "Voorbeeld|Vraag|Gelukt|Citaat",
    months="januari februari maart april mei juni juli augustus september "
    "oktober november december",
    date="{day} {month} {year}",
)

ARABIC = Strings(
    previous_issue="العدد السابق",
    next_issue="العدد التالي",
    view_in_browser="العرض في المتصفح",
    unsubscribe="إلغاء الاشتراك",
    why="تصلك هذه الرسالة لأن العنوان {address} مشترك في {letter}.",
    issue_number="العدد {number}",
    notes="الحواشي",
    links="الروابط",
    image="صورة",
    read_online="متابعة القراءة على الويب",
    callouts="ملاحظة|معلومة|نصيحة|تلميح|مهم|تحذير|احتراس|تنبيه|خطر|خطأ|مثال|سؤال|نجاح|اقتباس",
    months="يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    date="{day} {month} {year}",
)
JAPANESE = Strings(
    previous_issue="前の号",
    next_issue="次の号",
    view_in_browser="ブラウザで見る",
    unsubscribe="配信停止",
    why="このメールは、{address} が {letter} に登録されているためお送りしています。",
    issue_number="第{number}号",
    notes="注",
    links="リンク",
    image="画像",
    read_online="続きをウェブで読む",
    callouts="メモ|情報|ヒント|ヒント|重要|警告|注意|注目|危険|エラー|例|質問|成功|引用",
    months="1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
    date="{year}年{month}{day}日",
)

LANGUAGES = {
    "ar": ARABIC,
    "de": GERMAN,
    "en": ENGLISH,
    "en-us": replace(ENGLISH, date="{month} {day}, {year}"),
    "es": SPANISH,
    "fr": FRENCH,
    "it": ITALIAN,
    "ja": JAPANESE,
    "nl": DUTCH,
    "pt": PORTUGUESE,
}


def strings_for(language: str) -> Strings:
    """The words for a tag: `en-US` if we have it, else `en`, else English."""
    tag = language.lower().replace("_", "-")
    return LANGUAGES.get(tag) or LANGUAGES.get(tag.partition("-")[0], ENGLISH)


def direction(language: str) -> str:
    """`rtl` or `ltr`, for the dir attribute."""
    return "rtl" if language.lower().partition("-")[0] in RIGHT_TO_LEFT else "ltr"
