import ts from 'typescript';
import { inRepository, root } from '../repository.ts';

/** What a package exports: a name, and the symbol behind it. */
export interface Exported {
  readonly name: string;
  readonly symbol: ts.Symbol;
}

/** The checked sources of the packages: doc comments and types are read from them. */
export class Declarations {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #entries: ReadonlyMap<string, string>;

  constructor(packages: readonly string[]) {
    const { config } = ts.readConfigFile(inRepository('tsconfig.json'), (file) =>
      ts.sys.readFile(file),
    ) as { config: object };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root, { noEmit: true });
    this.#entries = new Map(
      packages.map((name) => [name, inRepository(`packages/${name}/src/index.ts`)]),
    );
    this.#program = ts.createProgram([...this.#entries.values()], options);
    this.#checker = this.#program.getTypeChecker();
  }

  /** In the order in which they were named. */
  get packages(): string[] {
    return [...this.#entries.keys()];
  }

  exportsOf(name: string): Exported[] {
    const file = this.#program.getSourceFile(this.#entries.get(name) ?? '');
    const module = file && this.#checker.getSymbolAtLocation(file);
    if (module === undefined) throw new Error(`packages/${name} exports nothing`);
    return this.#checker.getExportsOfModule(module).map((symbol) => ({
      name: symbol.name,
      symbol: symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol,
    }));
  }

  /** The doc comment, as one line of Markdown for each of its paragraphs. */
  docOf(symbol: ts.Symbol): string {
    const text = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker));
    return text
      .split(/\n{2,}/)
      .map((paragraph) => paragraph.replaceAll(/\s*\n\s*(?![-*|])/g, ' ').trim())
      .join('\n\n');
  }

  /** The properties of an interface or of an object type, inherited ones included. */
  propertiesOf(symbol: ts.Symbol): ts.Symbol[] {
    return this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(symbol));
  }

  /** Those of them that a package declares itself: not what fetch's init brings, for instance. */
  ownPropertiesOf(symbol: ts.Symbol): ts.Symbol[] {
    return this.propertiesOf(symbol).filter(({ declarations = [] }) =>
      declarations.some((each) => !each.getSourceFile().fileName.includes('/node_modules/')),
    );
  }

  /** The type of a property as it is written in its declaration, without `| undefined`. */
  typeOf(property: ts.Symbol): string {
    const declaration = property.valueDeclaration ?? property.declarations?.[0];
    const written =
      declaration && (ts.isPropertySignature(declaration) || ts.isPropertyDeclaration(declaration))
        ? declaration.type?.getText()
        : undefined;
    const type =
      written ??
      (declaration
        ? this.#checker.typeToString(this.#checker.getTypeOfSymbolAtLocation(property, declaration))
        : '');
    return type
      .replaceAll(/\s+/g, ' ')
      .replace(/^\| /, '')
      .replace(/ \| undefined$/, '');
  }

  isOptional(property: ts.Symbol): boolean {
    return (property.flags & ts.SymbolFlags.Optional) !== 0;
  }

  isInterface(symbol: ts.Symbol): boolean {
    return (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) !== 0;
  }

  isError(symbol: ts.Symbol): boolean {
    if ((symbol.flags & ts.SymbolFlags.Class) === 0) return false;
    const names = this.propertiesOf(symbol).map(({ name }) => name);
    return names.includes('stack') && names.includes('message');
  }

  /** The words of a union of strings, in the order in which they are declared. */
  wordsOf(symbol: ts.Symbol): string[] {
    const words: string[] = [];
    const collect = (node: ts.Node) => {
      if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal))
        words.push(node.literal.text);
      else if (ts.isUnionTypeNode(node)) node.types.forEach(collect);
    };
    for (const declaration of symbol.declarations ?? []) {
      if (ts.isTypeAliasDeclaration(declaration)) collect(declaration.type);
    }
    return words;
  }

  /** The strings that a property may be, in no order. */
  stringsOf(property: ts.Symbol): string[] {
    const { valueDeclaration } = property;
    if (valueDeclaration === undefined) return [];
    const type = this.#checker.getTypeOfSymbolAtLocation(property, valueDeclaration);
    const parts = type.isUnion() ? type.types : [type];
    return parts.flatMap((part) => (part.isStringLiteral() ? [part.value] : []));
  }

  /** The source of the class, function or type behind an export. */
  sourceOf(symbol: ts.Symbol): string {
    return symbol.declarations?.map((declaration) => declaration.getText()).join('\n') ?? '';
  }

  /** The properties of a type with the exported names of their types: `WhirlEvents`, for instance. */
  typedProperties(symbol: ts.Symbol): { name: string; symbol: ts.Symbol }[] {
    return this.propertiesOf(symbol).flatMap((property) => {
      const { valueDeclaration } = property;
      if (valueDeclaration === undefined) return [];
      const type = this.#checker.getTypeOfSymbolAtLocation(property, valueDeclaration);
      const of = type.aliasSymbol ?? type.symbol;
      return [{ name: property.name, symbol: of }];
    });
  }
}
