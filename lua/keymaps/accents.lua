-- What a dead accent and the character after it make: pairs, one after the
-- other. A space gives the accent alone without being named here.
return {
  ["`"] = "aà eè iì oò uù yỳ nǹ wẁ AÀ EÈ IÌ OÒ UÙ YỲ NǸ WẀ",
  ["´"] = "aá eé ií oó uú yý cć nń sś gǵ wẃ zź AÁ EÉ IÍ OÓ UÚ YÝ CĆ NŃ SŚ GǴ WẂ ZŹ",
  ["^"] = "aâ eê iî oô uû yŷ cĉ sŝ gĝ jĵ hĥ wŵ AÂ EÊ IÎ OÔ UÛ YŶ CĈ SŜ GĜ JĴ HĤ WŴ",
  ["¨"] = "aä eë iï oö uü yÿ wẅ AÄ EË IÏ OÖ UÜ YŸ WẄ",
  ["~"] = "aã eẽ iĩ oõ uũ yỹ nñ AÃ EẼ IĨ OÕ UŨ YỸ NÑ",
}
